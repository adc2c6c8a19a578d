"""The door of the page: foreign hosts and sites, forms, other users, and whatever leads out of the workspace."""

import re

import pytest

from asking_over_http import ask, head, port_of, say, status

server = pytest.importorskip("slmfit.ui.server", reason="pip install 'slmfit[serve]'")
from slmfit.ui.door import page_token  # noqa: E402

TOKEN = "open-sesame"
KEYS = {"authorization": f"Bearer {TOKEN}", "x_slmfit_page": page_token(TOKEN)}
VIEWS = ["/", "/compare", "/runs", "/try", "/hand-over", "/settings", "/generate"]
READS = ["/static/dom.js", "/api/workspace", "/api/events", "/report?name=x", "/files?name=a.csv", "/nix"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("door")
    (folder / "a.csv").write_text("text,label\na,b\n")
    (folder / "evil.csv").write_text("<script>alert(1)</script>\n")
    (folder.parent / "outside.csv").write_text("text,label\nsecret,x\n")
    (folder / "link.csv").symlink_to(folder.parent / "outside.csv")
    with server.running(folder, token=TOKEN) as serving:
        yield serving


@pytest.fixture
def port(served):
    return port_of(served.url)


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_a_second_user_without_the_token_sees_nothing(port, method):
    cookie = f"slmfit={TOKEN}; other={TOKEN}"
    for path in [*VIEWS, *READS, "/api/jobs", "/api/ask", "/?token=wrong", "/?token="]:
        for given in ({}, {"authorization": "Bearer wrong"}, {"cookie": cookie}, {"cookie": '"; slmfit=;;=,'}):
            reply = say(port, head(path, method, connection="close", **given))
            assert status(reply) == 401, (path, given)
            assert b"set-cookie" not in reply.lower()


def test_the_address_that_is_printed_lets_in(port):
    reply = say(port, head(f"/compare?job=x&token={TOKEN}", "GET", connection="close"))
    assert status(reply) == 303 and b"location: /compare?job=x\r\n" in reply
    cookie = re.search(rb"set-cookie: ([^;]+); Path=/; HttpOnly; SameSite=Strict", reply)[1].decode()
    assert status(say(port, head("/", "GET", cookie=cookie, connection="close"))) == 200
    elsewhere = say(port, head(f"//evil.example/?token={TOKEN}", "GET", connection="close"))
    assert b"location: /evil.example/\r\n" in elsewhere


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"host": "evil.example"}, 421), ({"host": "127.0.0.1.evil.example"}, 421), ({"host": None}, 400),
        ({"origin": "http://evil.example"}, 403), ({"origin": "null"}, 403), ({"origin": "http://127.0.0.1:1"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403), ({"sec_fetch_site": "same-site"}, 403),
    ],
)  # fmt: skip
def test_other_names_and_other_sites_pages(port, method, headers, expected):
    body = b"{}"
    given = {"content_length": len(body)} if method == "POST" else {}
    path = "/api/jobs" if method == "POST" else "/"
    request = head(path, method, connection="close", **{**KEYS, **given, **headers}) + (body if given else b"")
    assert status(say(port, request)) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 400),  # which is asked, and asks for nothing that there is
        ({"x_slmfit_page": None}, 403), ({"x_slmfit_page": "wrong"}, 403), ({"x_slmfit_page": TOKEN}, 403),
        ({"content_type": "text/plain"}, 415), ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"content_type": "multipart/form-data; boundary=x"}, 415), ({"content_type": None}, 415),
    ],
)  # fmt: skip
def test_a_write_is_the_page_s_own(served, port, headers, expected):
    for path in ("/api/jobs", "/api/files", "/api/ask", "/api/jobs/x/stop"):
        body = b'{"verb": "nothing"}'
        request = head(path, content_length=len(body), connection="close", **{**KEYS, **headers}) + body
        assert status(say(port, request)) == expected, path
    assert served.service.jobs.list() == []


@pytest.mark.parametrize(
    "path",
    [
        "/files?name=../outside.csv", "/files?name=link.csv", "/files?name=/etc/passwd", "/files?name=.slmfit/token",
        "/files?name=..%2Foutside.csv", "/files?name=a.csv%00", "/files", "/files?name=.", "/report?name=..",
        "/api/rows?file=../outside.csv", "/api/rows?file=link.csv", "/api/run?name=..", "/api/comparison?name=../..",
        "/api/settings?run=..", "/api/past?run=../x", "/explored?job=../../x", "/api/jobs/..%2F..%2Fx",
    ],
)  # fmt: skip
def test_nothing_leads_out(served, path):
    reply = ask(served.url + path, **KEYS)
    assert reply.status in (400, 404) and b"secret" not in reply.body and TOKEN.encode() not in reply.body


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e%2fapp.py", "/static/page.html", "/static/"])
def test_files_of_the_page_alone(port, path):
    assert status(say(port, head(path, "GET", connection="close", **KEYS))) == 404


def test_what_every_answer_says(served):
    for path in [*VIEWS, "/static/dom.js", "/api/workspace", "/nix"]:
        headers = ask(served.url + path, **KEYS).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    page = ask(f"{served.url}/", **KEYS).body.decode()
    assert " style=" not in page and " onclick=" not in page and "<script>" not in page and "<style" not in page


def test_a_file_is_kept_and_not_shown(served):
    headers = ask(f"{served.url}/files?name=evil.csv", **KEYS).headers
    assert headers["content-disposition"].startswith("attachment") and "sandbox" in headers["content-security-policy"]


def test_a_body_that_is_too_long_or_no_json(served, port):
    long = head("/api/files", content_length=4 << 20, connection="close", **KEYS)
    assert status(say(port, long)) == 413
    for body in (b"[1]", b"{", b'{"a": NaN}', b"[" * 5000):
        assert ask(f"{served.url}/api/files", body, **KEYS).status == 400

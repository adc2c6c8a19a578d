"""A stranger's llm run: which server gets texts, and which gets a key, on a machine where nobody typed its address."""

import io
import sys
from importlib import resources

import pytest

import slmfit
from conftest import make_dataset
from slmfit import __main__ as cli
from slmfit.cli import hosts
from slmfit.comparison.compare import train
from slmfit.errors import UnsafeError
from slmfit.llm import Client, Patience, Server, sockets, trust
from slmfit.testing import Script, scripted, status
from stranger import altered, changed_json, sealed

KEY = "sk-the-users-own"
TEXT = "my secret text"


@pytest.fixture
def everywhere(monkeypatch):
    """Every host's name leads to 127.0.0.1, as if the scripted server were that host's."""
    connect = sockets.Sockets.connect_tcp

    async def here(self, host, *args, **kwargs):
        return await connect(self, "127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(sockets.Sockets, "connect_tcp", here)


@pytest.fixture
def server():
    with scripted(Script()) as running:
        yield running


@pytest.fixture
def sent_on(tmp_path, server, monkeypatch, everywhere):
    """A function: host -> a run that names it, on a machine that never heard of the server but has a key."""
    monkeypatch.setenv("SLMFIT_CACHE", str(tmp_path / "theirs"))
    monkeypatch.chdir(tmp_path)
    run = train(make_dataset(sizes=(40, 10, 20)), "llm=m", settings={"llm": {"base_url": server.url}}, out="o").folder
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("SLMFIT_CACHE", str(tmp_path / "ours"))
    monkeypatch.setattr(trust, "_TYPED", set())
    monkeypatch.setattr(trust, "_TOLD", set())
    server.headers.clear()

    def naming(host, scheme="http"):
        folder = altered(tmp_path / run, tmp_path / f"sent-{len(list(tmp_path.iterdir()))}")
        with changed_json(folder / "model" / "slmfit.json") as about:
            about["settings"]["base_url"] = f"{scheme}://{host}:{server.port}/v1"
        return sealed(folder)

    return naming


def run_cli(monkeypatch, capfd, *words):
    monkeypatch.setattr(sys, "argv", ["slmfit", *map(str, words)])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    out, err = capfd.readouterr()
    return exit.value.code or 0, out, err


def keys_in(server):
    return [headers.get("authorization") for headers in server.headers]


OTHERS = ["evil.example", "10.0.0.7", "192.168.1.4", "169.254.169.254", "host.docker.internal", "a.localhost",
          "api.openai.com", "api.openai.com.evil.example", "api.openai.com."]  # fmt: skip


@pytest.mark.parametrize("host", OTHERS)
def test_a_host_that_nobody_named_gets_nothing(host, sent_on, server, monkeypatch, capfd):
    """By plain http even a vendor's name is anybody's."""
    run = sent_on(host)
    for words in (("predict", run, TEXT), ("evaluate", run, "rows.csv")):
        (run.parent / "rows.csv").write_text("text,label\nx y,billing\nx z,delivery\n")
        code, out, err = run_cli(monkeypatch, capfd, *words)
        assert code == 4 and out == ""
        assert f"sends your texts to {host}," in err and f"--allow-host {host}" in err
    with pytest.raises(UnsafeError, match="never named"):
        slmfit.load(run).predict([TEXT])
    assert not server.headers


def test_one_that_is_allowed_gets_texts_but_no_key(sent_on, server, monkeypatch, capfd):
    run = sent_on("evil.example")
    code, out, err = run_cli(monkeypatch, capfd, "predict", run, TEXT, "--allow-host", "evil.example")
    assert code == 0 and TEXT in out and err.count("sends your texts to evil.example (http://evil.example") == 1
    assert slmfit.load(run, allow_host="evil.example").predict([TEXT])
    assert server.headers and set(keys_in(server)) == {None}
    with pytest.raises(UnsafeError):
        slmfit.load(run, allow_host="other.example").predict([TEXT])
    with pytest.raises(UnsafeError):  # it was allowed that once
        slmfit.load(run).predict([TEXT])


@pytest.mark.parametrize(("said", "code"), [("y\n", 0), ("n\n", 4), ("\n", 4)])
def test_at_a_terminal_it_is_asked(said, code, sent_on, server, monkeypatch, capfd):
    run = sent_on("evil.example")
    monkeypatch.setattr(hosts, "_at_a_terminal", lambda: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO(said))
    found, _, err = run_cli(monkeypatch, capfd, "predict", run, TEXT)
    assert found == code and "This run sends your texts to evil.example" in err
    assert bool(server.headers) == (code == 0) and set(keys_in(server)) <= {None}


def test_on_this_machine_texts_may_go_and_no_key_does(sent_on, server, monkeypatch, capfd):
    run = sent_on("127.0.0.1")
    code, _, err = run_cli(monkeypatch, capfd, "predict", run, TEXT)
    assert code == 0 and f"sends your texts to 127.0.0.1, on this machine ({server.url})" in err
    assert server.headers and set(keys_in(server)) == {None}


def test_what_was_typed_here_gets_its_key(sent_on, server, monkeypatch, capfd):
    """Remembered over processes, by the whole address: another port or path is another's."""
    run = sent_on("127.0.0.1")
    trust.remember(server.url)
    trust._TYPED.clear()
    assert run_cli(monkeypatch, capfd, "predict", run, TEXT)[0] == 0
    assert set(keys_in(server)) == {f"Bearer {KEY}"}
    assert trust.typed(server.url) and not trust.typed(server.url + "/other")


def test_a_fit_is_what_types_an_address(tmp_path, server, monkeypatch, everywhere):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    train(make_dataset(sizes=(40, 10, 20)), "llm=m", settings={"llm": {"base_url": server.url}}, out="o")
    assert set(keys_in(server)) == {f"Bearer {KEY}"}
    trust._TYPED.clear()
    assert trust.typed(server.url)


def test_no_key_goes_over_plain_http_beyond_this_machine(server, everywhere):
    """Not even to an address that was typed; and the refusal that follows says why."""
    trust.remember(url := f"http://llm.example.org:{server.port}/v1")
    at = Server(url, "m", key=KEY)
    assert "authorization" not in at.headers() and Server(url.replace("http", "https"), "m", key=KEY).confidential
    server.script.kinds, server.script.faults = (status(401),), 1.0
    from asking import ask

    with pytest.raises(slmfit.MissingPart, match="none is sent over plain http"):
        list(Client(at, patience=Patience(attempts=1)).answers([ask(1)]))
    with_secret = Server(url.replace("http://", "http://me:pass-canary@"), "m")
    with pytest.raises(UnsafeError, match="plain http shows it") as caught:
        list(Client(with_secret).answers([ask(1)]))
    assert "pass-canary" not in str(caught.value)
    assert set(keys_in(server)) == {None}


def test_a_vendor_is_known_by_https_alone():
    assert Server("https://api.openai.com/v1", "m").of_vendor
    for url in ("http://api.openai.com/v1", "https://api.openai.com.evil.example/v1", "https://аpi.openai.com/v1"):
        assert not Server(url, "m").of_vendor
    assert Server("https://аpi.openai.com/v1", "m").host.startswith("xn--")  # the first letter is Cyrillic


def test_a_key_in_a_runs_address_is_left_out(sent_on, server):
    run = sent_on("stranger:pass-canary@127.0.0.1")
    method = slmfit.load(run).method
    assert method.server.base_url == server.url and not method.server.secrets


# --- generate: its server is typed, and a recipe, which may be a stranger's, names none ---


@pytest.fixture
def writing(tmp_path, server, monkeypatch, everywhere, capfd):
    """A function: address, more options -> exit code and stderr of a `generate` that asks it; a key is set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(trust, "_TYPED", set())

    def write(url, *more, recipe="emails"):
        words = ("generate", recipe, "-n", 3, "--writer", "llm", "--model", "m", "--base-url", url, *more)
        code, out, err = run_cli(monkeypatch, capfd, *words)
        assert KEY not in out + err
        return code, err

    return write


def test_the_server_that_generate_is_told_gets_the_key(writing, server, tmp_path):
    assert writing(server.url, "--dry-run")[0] == 0
    assert not server.headers and not trust.typed(server.url)
    writing(server.url)
    assert set(keys_in(server)) == {f"Bearer {KEY}"} and trust.typed(server.url)
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("host", OTHERS)
def test_generate_sends_no_key_over_plain_http_beyond_this_machine(host, writing, server):
    writing(f"http://{host}:{server.port}/v1")
    assert server.headers and set(keys_in(server)) == {None}


def test_generate_sends_no_password_over_plain_http_either(writing, server):
    code, err = writing(f"http://me:pass-canary@llm.example.org:{server.port}/v1")
    assert code == 4 and "plain http shows it" in err and "pass-canary" not in err
    assert not server.headers


@pytest.mark.parametrize(("url", "name"), [("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
                                           ("https://api.mistral.ai/v1", "MISTRAL_API_KEY")])  # fmt: skip
def test_generate_gives_no_vendor_the_key_of_another(url, name, writing, server, monkeypatch):
    monkeypatch.delenv(name, raising=False)
    code, err = writing(url)
    assert code == 1 and f"set {name}" in err and not server.connections


@pytest.mark.parametrize("line", ['base_url = "{}"', 'server = "{}"', 'model = "m"', 'writer = "llm"',
                                  '[server]\nbase_url = "{}"', '[llm]\nbase_url = "{}"\napi_key = "x"'])  # fmt: skip
def test_a_recipe_names_no_server(line, writing, server, tmp_path):
    source = (resources.files("slmfit.generating") / "recipes" / "emails.toml").read_text(encoding="utf-8")
    line = line.format(server.url)
    mine = f"{source}\n{line}\n" if line.startswith("[") else f"{line}\n{source}"
    (tmp_path / "theirs.toml").write_text(mine, encoding="utf-8")
    code, err = writing(f"http://127.0.0.1:{server.port}/other/v1", recipe="theirs.toml")
    assert code == 3 and "theirs.toml" in err
    assert not server.headers and not trust.typed(server.url)

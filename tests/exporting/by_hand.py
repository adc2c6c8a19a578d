"""An exported run that is made by hand, without torch: a model that counts words, and what a stranger may do to it."""

import json
import pickle
from dataclasses import replace

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

import slmfit
from conftest import WORDS, make_dataset
from slmfit import storage
from slmfit.data.recipe import TextRecipe
from slmfit.methods.exported import MODEL, Onnx
from slmfit.methods.exported.head import Head
from slmfit.methods.saved import save_model
from slmfit.runs.run import write_run

DATA = make_dataset(sizes=(40, 20, 20))
LABELS = list(DATA.task.labels)
VOCABULARY = {"[PAD]": 0, "[UNK]": 1} | {
    word: n for n, word in enumerate((word for words in WORDS.values() for word in words), 2)
}


def exported(place):
    """A run in `place`/by-hand, as an export to ONNX leaves one."""
    run = slmfit.train(DATA, "majority", out=place / "out")
    folder = place / "by-hand"
    model = folder / "model"
    model.mkdir(parents=True)
    onnx.save(counting(), model / MODEL)
    method = Onnx()
    method.tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    method.tokenizer.normalizer = normalizers.Lowercase()
    method.tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    method.head = Head(kind="classes", names=LABELS, pad=0, vocabulary=len(VOCABULARY), max_length=32, fill=1)
    save_model(model, DATA.task, TextRecipe(), "onnx", method)
    (folder / "predictions.jsonl").write_bytes((run.folder / "predictions.jsonl").read_bytes())
    write_run(folder, replace(run.record, method="onnx", files=storage.hash_files(model)))
    return folder


def counting():
    """Logits that count the words of each label."""
    table = np.zeros((len(VOCABULARY), len(LABELS)), np.float32)
    for place, label in enumerate(LABELS):
        table[[VOCABULARY[word] for word in WORDS[label]], place] = 1
    weights = {"table": table, "last": np.array([2], np.int64), "tokens": np.array([1], np.int64)}
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["found"]),
        helper.make_node("Cast", ["attention_mask"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["real", "last"], ["each"]),
        helper.make_node("Mul", ["found", "each"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "tokens"], ["logits"], keepdims=0),
    ]
    shape = ["rows", "tokens"]
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, shape) for n in ("input_ids", "attention_mask")]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", len(LABELS)])]
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "counting", inputs, outputs, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def outside(model):
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")


def outside_in_a_node(model):
    value = helper.make_tensor("x", TensorProto.FLOAT, [1], [1.0])
    value.external_data.add(key="location", value="/etc/passwd")
    model.graph.node.append(helper.make_node("Constant", [], ["unused"], value=value))


def outside_in_a_branch(model):
    value = helper.make_tensor("x", TensorProto.FLOAT, [1], [1.0])
    value.data_location = TensorProto.EXTERNAL
    branch = helper.make_graph([helper.make_node("Constant", [], ["y"], value=value)], "branch", [], [])
    model.graph.node.append(helper.make_node("If", ["z"], ["unused"], then_branch=branch, else_branch=branch))


def program(model):
    model.graph.node.append(helper.make_node("PyOp", [], ["unused"], domain="ai.onnx.contrib"))


def context(model):
    model.graph.node.append(helper.make_node("EPContext", [], ["unused"], domain="com.microsoft"))


ONNX = {
    "data outside": outside,
    "data outside, in a node": outside_in_a_node,
    "data outside, in a branch": outside_in_a_branch,
    "a program": program,
    "a compiled part in a file": context,
}
KINDS = ("a pickle", "a link", "a byte", "a folder", *ONNX)


def planted(what, folder, at=100):
    """Alter an export as a stranger may; who changes files names their new hashes, too, but for one byte's."""
    model = folder / "model"
    if what == "a byte":
        data = bytearray((model / MODEL).read_bytes())
        data[-at % len(data)] ^= 1
        (model / MODEL).write_bytes(data)
        return
    if what == "a pickle":
        (model / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": 1}))
    elif what == "a folder":
        (model / "more").mkdir()
        (model / "more" / "weights.bin").write_bytes(b"1")
    elif what == "a link":
        (model / "README.md").symlink_to("/etc/hostname")
    else:
        loaded = onnx.load(model / MODEL, load_external_data=False)
        ONNX[what](loaded)
        (model / MODEL).write_bytes(loaded.SerializeToString())
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**record, "files": storage.hash_files(model)}))

"""The one training loop for transformers: tokens, batches, devices, LoRA, checkpoints, budgets.

    tokens.py       texts -> token ids, once, cached by content
    batches.py      which rows go through the model together
    device.py       cpu, cuda or mps; precision; what "out of memory" looks like
    converted.py    a GGUF file as a folder of plain weights, made once
    pretrained.py   configurations, tokenizers and models by folder or hub name; errors in words
    lora.py         low-rank adapters, by peft
    plan.py         what is decided before the first step, with the reason for each
    costs.py        how long a plan takes here, and what fits into a budget
    checkpoints.py  the state of a training on disk, whole or not at all
    loop.py         the loop
    processes.py    several processes that share the batches of one training
    signals.py      Ctrl-C and SIGTERM, kept until the loop can stop cleanly
    forward.py      many rows through a model, for validation and prediction
    classify.py     one label per text: batches, loss, and a last layer for the one token that is read
    tag.py          a tag for every word, and an intent: batches, loss
    windows.py      long texts in several pieces
    logits.py       what logits mean: labels, the best tags, spans; without torch
    write.py        an answer written as text: batches, loss
    vocabulary.py   what tokens write, and which of them a grammar lets through
    steps.py        one token after another: how a model reads prompts, and what it keeps of them while it writes on
    decode.py       many answers written at a time, each under its grammar
    score.py        how likely the options of a prompt are, the prompt read once
    readings.py     which option is meant by such numbers; without torch
    choose.py       an option chosen by how likely it is: batches, loss
    rank.py         an option chosen by a head that reads it with its question: batches, loss

Most modules import torch, so they are imported only by the methods that train.
"""

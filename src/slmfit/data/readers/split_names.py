"""What splits are called: by files, folders, columns and the lists of an object.

SPLIT_NAMES["dev"]                 # "validation"
"""

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}

"""The parts of scripts, each a module that could be read by itself; `composing.py` puts them together.

A part imports from another what it calls, and the two must not name anything alike. A capital name that is assigned on
a line of its own is a value that a run may have otherwise. Lines between `# [name]` and `# [/name]` stay in a script
only where the run has that.
"""

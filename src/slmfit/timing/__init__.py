"""Time: how much of it is left, how far a piece of work is, and when it will be done."""

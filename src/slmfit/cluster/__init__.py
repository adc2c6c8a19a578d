"""Runs fitted on the machines of a Ray cluster: nodes.py joins and checks them, fitting.py hands them work."""

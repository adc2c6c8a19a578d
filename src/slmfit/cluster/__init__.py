"""Work done on the machines of a Ray cluster: nodes.py joins and checks them, tasks.py follows what they do. What they
do is in fitting.py, tuning.py and predicting.py."""

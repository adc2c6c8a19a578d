"""What is wrong with a dataset, said before anything is fitted."""

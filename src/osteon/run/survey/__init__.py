"""What `osteon data` says of a dataset before anything is trained on it: its terms, its state, its split."""

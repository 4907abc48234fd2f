"""The processes of one run: who started them, how many there are, and what happens when one of them ends."""

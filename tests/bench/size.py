"""How much state large.py is to have: set by who measures, shared by all runs."""
COUNT = 100

"""Prints the environment, as env does."""

import os

for key, value in os.environ.items():
    print(f"{key}={value}")

"""`python -m meshc`."""

from meshc.cli.main import run

run()

"""What tests/make_sealed_cases.py writes into cases: a function a case."""

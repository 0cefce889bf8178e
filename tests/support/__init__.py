"""Helpers that several test modules share, one module for each subject. No test module imports another one."""

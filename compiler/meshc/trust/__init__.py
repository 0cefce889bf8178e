"""Checks the public certificates of a mesh: what prevents a CA from chaining to the common root?"""

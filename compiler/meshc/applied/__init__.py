"""Checks the objects of a cluster as they will be applied: what would the API server or the mesh refuse?"""

"""What several test modules need, a module a subject. No test module imports from another one."""

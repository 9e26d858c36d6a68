"""Lets every test import the modules beside this file: `random_accounts`, `reference`."""

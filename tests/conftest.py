"""Lets every test import the modules beside this file: `builders`, `reference`."""

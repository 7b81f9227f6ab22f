"""Herbarium shows a folder of pressed plants as a web page."""

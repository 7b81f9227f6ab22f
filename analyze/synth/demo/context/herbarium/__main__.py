import argparse

from . import web

parser = argparse.ArgumentParser(prog="herbarium")
parser.add_argument("--listen", default="127.0.0.1:8080")
web.serve(parser.parse_args().listen)

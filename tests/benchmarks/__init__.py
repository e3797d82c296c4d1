"""Speed and size, as ratios against a peer or a limit, measured in the same run.

``python -m tests.benchmarks [--only NAME]... [--small] [--json FILE]`` prints one table; so does
``make bench ARGS="--only rebuild"``. Everything lies in one temporary folder that goes at the end.
"""

"""Speed and size, as ratios against a peer or a floor measured in the same run.

``python -m tests.benchmarks [--only NAME] [--small]`` prints one table.
"""

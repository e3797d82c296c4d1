"""The store and everything that follows it: live queries, computed values, models."""

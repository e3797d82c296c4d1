"""The lab: an open workspace, and how it is put together."""

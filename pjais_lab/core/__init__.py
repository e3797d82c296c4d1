"""Pure values: ids, clocks, events, merges, tables. No I/O, no clock reads, no globals."""

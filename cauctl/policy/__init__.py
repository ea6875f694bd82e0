"""Pure decisions, one module for each question: values in, a value with its reasons out. No I/O, no clock."""

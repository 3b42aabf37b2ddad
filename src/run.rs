//! One run: inputs, outputs, signals, progress.

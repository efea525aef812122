//! The law's own integrity: names, levels, evidence, and the floors below which it may not fall.

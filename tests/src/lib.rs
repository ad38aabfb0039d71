//! The test-bed: real binaries, real sound servers, real networks, and the simulation.

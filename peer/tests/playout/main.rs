//! The playout from outside: what is heard when, packet by packet.

mod table;

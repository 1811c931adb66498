// Package country composes the actors into a small invented country that runs in one process:
// its folder, its keys and directory, its people, its clock, and the first acts that make it
// alive. Actors talk over exactly the two things that they use between machines (HTTP and feeds),
// so what works here works apart: `jitsuin serve` reads the same configuration files.
//
// It owns the data folder and the actor country:1 (the clock; its pages are package console). It decides nothing that an
// actor decides.
package country

package tsp

// MarshalInfo writes a TSTInfo, sound or not.
func MarshalInfo(i *Info) ([]byte, error) { return i.marshal() }

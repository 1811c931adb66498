package store

// Watch gives a channel that receives after each commit that notified name (Tx.Notify) in this
// process, one that may not have taken effect (CodeUnknown) included; signals that nobody has
// taken yet become one. stop ends the watch.
func (db *DB) Watch(name string) (signals <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	db.signalMu.Lock()
	defer db.signalMu.Unlock()
	if db.watchers[name] == nil {
		db.watchers[name] = map[chan struct{}]bool{}
	}
	db.watchers[name][ch] = true
	return ch, func() {
		db.signalMu.Lock()
		defer db.signalMu.Unlock()
		delete(db.watchers[name], ch)
	}
}

func (db *DB) signal(names []string) {
	db.signalMu.Lock()
	defer db.signalMu.Unlock()
	for _, name := range names {
		for ch := range db.watchers[name] {
			select {
			case ch <- struct{}{}:
			default:
			}
		}
	}
}

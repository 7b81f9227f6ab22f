package tui

// suspend says that Windows has no such thing.
func (u *ui) suspend() { u.say(roleDim, "there is no suspending on Windows") }

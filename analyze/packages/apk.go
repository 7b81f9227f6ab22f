package packages

import "bytes"

// readApk reads apk's database of installed packages (apk-installed, "Alpine
// Package Keeper database format"): records of lines "X:value".
func readApk(r *Reader, body []byte) ([]*record, error) {
	if len(body) > 0 && body[len(body)-1] != '\n' {
		return nil, errCut
	}
	var recs []*record
	for p := range paragraphs(body) {
		rec, err := r.record(p, parseApkRecord)
		if err != nil {
			return nil, err
		}
		recs = append(recs, rec)
	}
	return recs, nil
}

func parseApkRecord(p []byte) (*record, error) {
	rec := new(record)
	dir := ""
	for line := range bytes.Lines(p) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) < 2 || line[1] != ':' {
			return nil, errNoField
		}
		switch value := string(line[2:]); line[0] {
		case 'P':
			rec.name = value
		case 'V':
			rec.version = value
		case 'A':
			rec.arch = value
		case 'F':
			dir = value + "/"
		case 'R':
			rec.files = append(rec.files, dir+value)
		}
	}
	if rec.name == "" {
		return nil, errNoName
	}
	return rec, nil
}

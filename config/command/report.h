/*
 * report.h - an audit's findings for people, and for programs. The schema of --json, which only grows:
 *
 *   {"schema": "sandglass-audit/1", "version": TEXT,
 *    "summary": {"packages": N, "objects": N, "safe": N, "depends": N, "unsafe": N, "programs": N, "problems": N},
 *    "packages": [{"name": TEXT, "version": TEXT or null, "root": PATH, "verdict": "safe"|"depends"|"unsafe"|"not judged",
 *      "counts": BOOL, "objects": [{"path": PATH, "kind": "extension"|"library"|"program", "machine": TEXT or null,
 *        "verdict": as above, "counts": BOOL, "symbolic": BOOL, "allowed": [FAMILY...],
 *        "reasons": [{"kind": TEXT, "verdict": "depends"|"unsafe", "text": TEXT, "entries": [NAME...]}]}]}],
 *    "problems": [{"path": PATH, "message": TEXT}]}
 *
 * summary: safe, depends, unsafe and programs count packages. counts: false for a program within a package, which is
 * another process, and for a package of nothing but programs: "not judged", its reasons are told all the same. allowed: what [native] of the
 * configuration permits, left out of reasons. kind: a family of entries (clock monotonic sleep random environment file
 * network exec spawn process thread host syscall loader namespace), or raw-syscall rdtsc rdrand rdseed static packed no-sections symbolic machine
 * go vdso.
 */
#ifndef SG_COMMAND_REPORT_H
#define SG_COMMAND_REPORT_H

#include "config/command/findings.h"

#include <stdio.h>

void sg_report_text(FILE *file, const struct sg_findings *findings);
void sg_report_json(FILE *file, const struct sg_findings *findings);

#endif

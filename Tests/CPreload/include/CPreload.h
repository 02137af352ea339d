// CPreload is loaded by LD_PRELOAD; nobody calls it by name.

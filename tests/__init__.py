"""The package's twin, and what crosses it: flows, specs, interop, browser, processes, architecture."""

"""The file of a user's mappings and destination filters: reading it, and saying what is wrong with it."""

from streams.mappings_file.read import LoadedMappings, load_mappings, mappings_path

__all__ = ["LoadedMappings", "load_mappings", "mappings_path"]

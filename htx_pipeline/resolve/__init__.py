"""Who is who: ids, places, parties, duplicates."""

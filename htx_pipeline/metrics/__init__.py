"""Measures: one public function each, pure (frames) -> frame."""

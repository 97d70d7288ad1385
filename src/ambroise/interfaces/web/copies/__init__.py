"""What people read in a copy of their record, once it has left: pages that need nothing but themselves."""

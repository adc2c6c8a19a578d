"""slmfit finds the smallest language model that does your job."""

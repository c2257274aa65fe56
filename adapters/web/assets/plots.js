// filled in with the learning page

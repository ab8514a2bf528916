# The installed package: headers, parts, and what find_package(daig CONFIG) needs.

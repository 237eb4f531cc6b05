module github.com/ottla/ottla/clients/go

go 1.23

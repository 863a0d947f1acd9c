# The binary alone, to be copied into other images:
#
#     docker build -t ecr-login .
#     COPY --from=ecr-login /docker-credential-ecr-login /usr/local/bin/

# Any image with Go, make and CA certificates.
ARG GO_IMAGE=golang:1.26
FROM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN make build OUT=/docker-credential-ecr-login

FROM scratch
COPY --from=build /docker-credential-ecr-login /
ENTRYPOINT ["/docker-credential-ecr-login"]

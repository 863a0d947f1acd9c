# The helper as a file, or in the image that needs it:
#
#     docker build --target binary        --output . .            # the file, here (BuildKit)
#     docker build --target binary        --tag ecr-login .       # the file alone, from scratch
#     docker build --target gitlab-runner --tag gitlab-runner .   # GitLab Runner with it on the PATH
#     docker build --target kaniko        --tag kaniko .          # Kaniko with it in /kaniko
#
# For another machine: docker buildx build --platform linux/arm64 …, or with Docker's old
# builder, for the file alone: --build-arg TARGETARCH=arm64. That builder also makes every
# stage above the one it is asked for: spare it the runner with GITLAB_RUNNER_IMAGE=scratch.

# Any image with Go, make and CA certificates.
ARG GO_IMAGE=golang:1.26.8
ARG GITLAB_RUNNER_IMAGE=gitlab/gitlab-runner:v19.3.0
ARG KANIKO_IMAGE=ghcr.io/osscontainertools/kaniko:v1.28.3-debug
ARG BUILDPLATFORM

# Go compiles for every machine on this one, for which "linux" stands where the builder
# names none.
FROM --platform=${BUILDPLATFORM:-linux} ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH
RUN GOOS=${TARGETOS} GOARCH=${TARGETARCH} make build OUT=/docker-credential-ecr-login

FROM scratch AS binary
COPY --from=build /docker-credential-ecr-login /
USER 65534:65534
ENTRYPOINT ["/docker-credential-ecr-login"]

# The runner works as root, as its own image does.
FROM ${GITLAB_RUNNER_IMAGE} AS gitlab-runner
COPY --from=build /docker-credential-ecr-login /usr/local/bin/

# All of Kaniko is in /kaniko, the one folder that gets into no image it builds and is
# there in every stage. Whatever is elsewhere can be gone by the time it is wanted.
FROM ${KANIKO_IMAGE} AS kaniko
COPY --from=build /docker-credential-ecr-login /kaniko/
ENV AWS_ECR_CACHE_DIR=/kaniko/.ecr

FROM binary

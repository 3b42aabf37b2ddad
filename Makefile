# wschat-sniff: `make demo` and `make test` do everything on a Debian machine with a Rust toolchain, make and a C compiler.

# Under sudo the toolchain is that of the person who called it, when root has none.
ifneq ($(if $(shell command -v cargo),,$(SUDO_USER)),)
WITH_CARGO = sudo -H -u $(SUDO_USER) sh -c 'PATH="$$HOME/.cargo/bin:$$PATH" exec "$$@"' sh
endif
CARGO ?= $(WITH_CARGO) cargo
CAPTURE = fixtures/workerman-chat-2014/capture.pcap
PORT ?= 7272
RELEASE = $(or $(CARGO_TARGET_DIR),target)/release
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)

.PHONY: .build-deps help demo live build test test-deps lint bench soak install uninstall deb clean

help:
	@echo 'make demo     install what is missing, build, print the annotated session of the bundled capture'
	@echo 'make live     (root) start the chat server and watch it: open http://127.0.0.1:55151'
	@echo 'make test     install what is missing, run every test'
	@echo 'make lint     formatting and clippy'
	@echo 'make bench    the speed table, and what attacks cost (captures of 500 MB under target/); AGAINST=PROGRAM: beside an earlier build'
	@echo 'make soak     (root) what takes long: live captures beside tcpdump, fuzzing for some hours, and more'
	@echo 'make install  programs, man pages and completions below PREFIX (default /usr/local); make uninstall takes them away'
	@echo 'make deb      a Debian package of the same'

# What the programs need to be built.
.build-deps:
	@tools/install-debian libpcap-dev

# The same build as for `make live`. Cargo shows how far it is, on a terminal as a bar.
demo: build
	@TZ=Asia/Shanghai $(RELEASE)/wschat-sniff -Ans 4096 -r $(CAPTURE)

build: .build-deps
	$(CARGO) build --release --locked

live: build
	@RELEASE=$(RELEASE) PORT=$(PORT) HTTP_PORT=$(HTTP_PORT) tools/live $(ARGS)

test-deps:
	@tools/install-debian libpcap-dev tcpdump tshark libcap2-bin iproute2 procps chromium chromium-driver python3 python3-venv nodejs npm zstd zsh fish man-db tmux

# Tests that need a tool are ignored by `cargo test` alone; here its absence is a failure. Those in modules named as_root need root.
# Property tests try the same cases each time, so that a failure is of the change at hand; `make soak` tries others.
ROOT_TESTS = $(if $(filter-out 0,$(shell id -u)),--skip as_root)
test: test-deps
	$(if $(ROOT_TESTS),@echo 'Not root: the tests that need it are left out.')
	$(CARGO) build --locked --all-targets
	$(CARGO) --config env.PROPTEST_RNG_SEED='"7272"' test --locked --no-fail-fast -- --include-ignored --skip soak_ $(ROOT_TESTS)

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --all-targets -- -D warnings -D clippy::incompatible_msrv
	$(CARGO) check --locked --no-default-features
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --quiet

bench: test-deps
	@tools/install-debian valgrind
	@AGAINST=$(AGAINST) $(CARGO) bench --locked --quiet --bench table
	@test -n "$(AGAINST)" || $(CARGO) bench --locked --quiet --bench attacks

soak: test-deps build
	$(CARGO) test --release --locked --no-fail-fast -- --ignored soak_
	$(CARGO) --config env.PROPTEST_CASES='"20000"' test --release --locked --no-fail-fast --lib
	RELEASE=$(RELEASE) tools/soak-live
	$(WITH_CARGO) tools/fuzz

PREFIX ?= /usr/local
SHARE = $(DESTDIR)$(PREFIX)/share
install: build
	install -Dsm755 -t $(DESTDIR)$(PREFIX)/bin $(RELEASE)/wschat-sniff $(RELEASE)/wschat-server
	install -Dm644 -t $(SHARE)/man/man1 man/*.1
	install -Dm644 -t $(SHARE)/man/man5 man/*.5
	install -Dm644 completions/wschat-sniff.bash $(SHARE)/bash-completion/completions/wschat-sniff
	install -Dm644 -t $(SHARE)/zsh/$(ZSH_FUNCTIONS) completions/_wschat-sniff
	install -Dm644 -t $(SHARE)/fish/vendor_completions.d completions/wschat-sniff.fish

# Where zsh looks below /usr is another folder than below /usr/local.
ZSH_FUNCTIONS = $(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,wschat-sniff wschat-server)
	rm -f $(addprefix $(SHARE)/man/,$(patsubst man/%.1,man1/%.1,$(wildcard man/*.1)) $(patsubst man/%.5,man5/%.5,$(wildcard man/*.5)))
	rm -f $(SHARE)/bash-completion/completions/wschat-sniff $(SHARE)/zsh/$(ZSH_FUNCTIONS)/_wschat-sniff
	rm -f $(SHARE)/fish/vendor_completions.d/wschat-sniff.fish

deb: build
	RELEASE=$(RELEASE) tools/make-deb $(VERSION)

clean:
	$(CARGO) clean

# wschat-sniff: `make demo` and `make test` do everything on a Debian machine with a Rust toolchain, make and a C compiler.

# Under sudo the toolchain is that of the person who called it, when root has none.
ifneq ($(if $(shell command -v cargo),,$(SUDO_USER)),)
CARGO ?= sudo -H -u $(SUDO_USER) sh -c 'PATH="$$HOME/.cargo/bin:$$PATH" exec cargo "$$@"' cargo
else
CARGO ?= cargo
endif
CAPTURE = fixtures/workerman-chat-2014/capture.pcap
PORT ?= 7272

.PHONY: .build-deps help demo live build test test-deps lint bench install clean

help:
	@echo 'make demo     install what is missing, build, print the annotated session of the bundled capture'
	@echo 'make live     (root) start the chat server and watch it: open http://127.0.0.1:55151'
	@echo 'make test     install what is missing, run every test'
	@echo 'make lint     formatting and clippy'
	@echo 'make bench    the speed table (generates captures of 500 MB under target/)'
	@echo 'make install  programs, man pages and completions below PREFIX (default /usr/local)'

# What the programs need to be built.
.build-deps:
	@tools/install-debian libpcap-dev

demo: .build-deps
	@$(CARGO) build --release --locked --quiet --no-default-features --bin wschat-sniff
	@TZ=Asia/Shanghai target/release/wschat-sniff -Ans 4096 -r $(CAPTURE)

build: .build-deps
	$(CARGO) build --release --locked

live: build
	@tools/live

test-deps:
	@tools/install-debian libpcap-dev tcpdump tshark libcap2-bin iproute2 procps chromium chromium-driver python3 python3-venv nodejs npm zstd

test: test-deps
	$(CARGO) build --locked --all-targets
	$(CARGO) test --locked --no-fail-fast

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --quiet

bench: test-deps
	@$(CARGO) bench --locked --quiet --bench table

PREFIX ?= /usr/local
install: build
	install -Dm755 -t $(DESTDIR)$(PREFIX)/bin target/release/wschat-sniff target/release/wschat-server
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/man/man1 man/*.1
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/man/man5 man/*.5
	install -Dm644 completions/wschat-sniff.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/wschat-sniff
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/zsh/site-functions completions/_wschat-sniff
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d completions/wschat-sniff.fish

clean:
	$(CARGO) clean

# Every variable (make help lists them) reaches the command by its environment.
crossing := .crossing/bin/crossing

.DEFAULT_GOAL := help
.PHONY: help setup init e2e preview soak flake up open watch down doctor diagnose lint engines report test bench sweep command

## help       this list
help: command
	@grep -E '^## ' Makefile | cut -c4-
	@echo
	@$(crossing) run --help | sed -n '/^Flags/,$$p'

## setup      install what is missing, build services and images (DOCKER=1: a Docker engine, too)
setup: command
	@$(crossing) setup

## init       write a first crossing.yaml by looking at an application that runs: FRONTEND_URL= AUTH_URL= API_URL=
##            OUT=../shop/crossing.yaml (crossing init --help: RESOLVE=, CA=, EMAIL=, PASSWORD=, ALLOW_PRODUCTION=)
init: command
	@$(crossing) init

## e2e        run the suites: set up, start the services, drive the browsers, judge, take everything down
e2e: command
	@$(crossing) run

## preview    run the session suite on what is deployed: CONFIG= FRONTEND_URL= AUTH_URL= API_URL=
##            (crossing preview --help: VERCEL_AUTOMATION_BYPASS_SECRET=, RESOLVE=, CA=, ALLOW_PRODUCTION=)
preview: command
	@$(crossing) preview

## up         start the services and leave them up; later runs use them
up: command
	@$(crossing) up

## open       a window on the application (ENGINE=chromium, webkit, firefox…), each exchange told as you click
open: command
	@$(crossing) open

## watch      run the specs of each file that is saved, on services that stay up
watch: command
	@$(crossing) watch

## down       take down what up has started
down: command
	@$(crossing) down

## diagnose   walk the journeys once and say what became of the session: of a CONFIG=, or of what is deployed at
##            FRONTEND_URL= AUTH_URL= API_URL= (crossing diagnose --help: RESOLVE=, CA=, EMAIL=, PASSWORD=)
diagnose: command
	@$(crossing) diagnose

## lint       check the same by HTTP alone, before any browser starts (JSON=FILE: written there, too)
lint: command
	@$(crossing) lint

## engines    what each browser really does with cookies that cross sites, held against suites/engines/ledger.jsonl
##            (UPDATE=1 writes it); starts no service
engines: command
	@$(crossing) engines

## report     render the last run's page again and open it
report: command
	@$(crossing) report --open

## doctor     what is here, what is missing, and the command that mends it
doctor: command
	@$(crossing) doctor

## soak       walk N=500 healthy journeys a profile: no cause may be named
soak: command
	@SUITE=soak TIMEOUT=$${TIMEOUT:-6h} $(crossing) run

## flake      run the same specs up to N=50 times, in random order and on a busy machine, until they fail, and say
##            how often what failed (SUITE=, ONE=, LOAD=)
flake: command
	@$(crossing) flake

## test       the project's own tests: linters, the harness, the services, the drivers (PART=lint: one part)
test: command
	@$(crossing) test

## bench      measure speed and memory against goals (BENCH=journey,edge: some lanes; ROUNDS=)
bench: command
	@$(crossing) bench

## sweep      remove what killed runs have left behind
sweep: command
	@$(crossing) sweep

command:
	@test -x $(crossing) || echo 'compiling the command: a minute or two, the first time'
	@mkdir -p .crossing/bin
	@go build -o $(crossing) ./harness/cmd/crossing
